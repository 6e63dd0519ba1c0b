"""``pairstream doctor``: what pairstream needs, checked one by one."""
