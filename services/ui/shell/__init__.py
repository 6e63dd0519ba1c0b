"""Shell around every page: header, notices, menu, tour, and the callbacks that keep it current."""
