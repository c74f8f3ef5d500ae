"""The use cases: create, find, decide, cancel, pass on. Every way in meets here, JSON routes and pages alike."""
