"""What builds a world of schools: countries, schools given or drawn, their peer network. A month of it is run by the modules above."""
