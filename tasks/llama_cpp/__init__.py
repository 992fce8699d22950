"""Models that this machine runs with llama.cpp: their files, and the server of one."""
