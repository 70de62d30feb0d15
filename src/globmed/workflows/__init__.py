"""What joins the areas: the demo, and the evaluation of a trained model."""
