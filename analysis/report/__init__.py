"""What is handed over: documents, their chapters and sentences, set as HTML, PDF and for the terminal."""
