"""Rules of alerts at work: levels, states, corrections and routing. No I/O."""
