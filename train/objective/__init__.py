"""What is trained down: losses, perception, the critic, the teacher."""
