"""Figures with controls that need no kernel: every state is computed when the page runs, a script only picks one."""
