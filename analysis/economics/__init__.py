"""The economics of designs: costs against effects, under uncertainty, for whom; each module says which question it answers."""
