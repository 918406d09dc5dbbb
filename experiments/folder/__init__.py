"""What the folder of a study is: written (``study``), described, read (``results``), made again (``rerun``) and compared (``same``)."""
