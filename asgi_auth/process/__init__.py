"""The process: forks, tasks in the background, the logger. Not public."""
