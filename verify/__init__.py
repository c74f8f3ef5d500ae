"""What can be shown of a deployed app: `make verify URL=… KEY=…`. Never deployed."""
