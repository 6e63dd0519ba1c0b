"""``ticks`` -> ``signals`` and ``alerts``: a Faust app around pure alignment, windows and rules."""
