"""What an artist does with a finished rig: baked correctives, pose actions, names, clothes that follow, masks."""
