"""The present: the end of every topic, and the streams that tell clients of it."""
