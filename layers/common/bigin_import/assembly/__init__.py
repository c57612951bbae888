"""Where the parts of each function are put together: the one room that knows all the others."""
