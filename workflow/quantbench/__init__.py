"""What does quantizing a language model cost and save on biomedical text? The package behind the workflow."""

import os

__version__ = "0.2.0"

# Nobody is told who runs what: neither by reports of use, nor by the versions and machine that a client's name would carry, nor by
# counts of downloads. Set before anything imports the libraries that read it.
os.environ.update(HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1", HF_UPDATE_DOWNLOAD_COUNTS="0")
