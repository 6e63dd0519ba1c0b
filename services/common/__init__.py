"""What two services share: messages, topics, Kafka and database plumbing, clock, errors, logging."""
