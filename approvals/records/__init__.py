"""What outlives the scheduler's history: the record of each request, and the lists that find it."""
