"""What scripts can call, as editors and checkers want to know it."""
