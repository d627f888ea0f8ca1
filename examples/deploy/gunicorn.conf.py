"""gunicorn for an app of asgi_auth: `gunicorn -c gunicorn.conf.py app:app`."""

import os

bind = "127.0.0.1:8000"
# One worker for each core. Workers share nothing but the database.
workers = int(os.environ.get("WEB_CONCURRENCY", str(os.cpu_count() or 1)))
worker_class = "asgi"
# Each worker imports the app, so that a reload (`kill -HUP`) serves the new code.
preload_app = False
# Mails in flight get 10 seconds at the end, audit records 5.
graceful_timeout = 20
timeout = 60
