"""Live stream: the reader of all topics, the live state, and the messages to clients."""
