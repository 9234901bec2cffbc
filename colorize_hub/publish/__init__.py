"""What goes to the Hugging Face Hub: a model, a Space, a set of pictures; cards and their facts."""
