"""The same work on our jobs and on their peers, side by side, on one machine and one set of topic contents."""
