"""Pictures for training: opened from any source, cleaned, augmented, dealt out to the steps."""
