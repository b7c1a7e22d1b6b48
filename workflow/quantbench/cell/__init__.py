"""One cell from prepared samples to predictions, measurements and manifest, with progress that survives a killed job."""
