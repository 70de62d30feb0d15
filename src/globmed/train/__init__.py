"""From a released dataset to a trained model, and what it gained."""
