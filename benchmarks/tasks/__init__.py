"""What deraining is worth to who looks next: detectors of people and of text, which come with their weights."""
