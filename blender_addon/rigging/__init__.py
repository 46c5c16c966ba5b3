"""What an artist does with a finished rig: baked correctives, pose actions, names, IK, clothes that follow, masks."""
