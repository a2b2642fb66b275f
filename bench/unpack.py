# What one writes first: the archive to a file, and each of its files back.
import sys
import tempfile
import zipfile

import boto3

bucket, key, prefix = sys.argv[1:]
s3 = boto3.client("s3")
with tempfile.TemporaryFile() as file:
    s3.download_fileobj(bucket, key, file)
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as content:
                s3.upload_fileobj(content, bucket, prefix + entry.filename)
