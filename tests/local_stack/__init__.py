"""
The whole product on this machine: MiniStack as AWS, the twin as Bigin, the real template.yaml.

    with LocalStack.running("e2e") as stack:
        stack.client("s3").put_object(Bucket=stack.bucket, Key="incoming/a.csv", Body=b"...")

Everything a stack writes lies in .local/stack/<name>/, logs and certificates included; it is
left there for inspection and cleared at the next start. Two names can run side by side.
"""

from tests.local_stack.stack import LocalStack

__all__ = ["LocalStack"]
