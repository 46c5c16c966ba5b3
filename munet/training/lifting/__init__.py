"""Training of the pose network through forward kinematics alone: no picture is rendered."""
