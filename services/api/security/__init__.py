"""What stands before the routes: who may come in, how often, with how much, and what every answer carries."""
