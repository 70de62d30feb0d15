"""What every part shares; imports none of them."""
