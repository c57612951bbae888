"""Use cases of job_callback and settle_jobs: jobs -> outcomes -> result files -> closed imports."""
