"""Makes a database of Django with users, by its own code: `python -m tests.importing.systems.django_database FILE`."""

import sys

PASSWORD = "correct horse battery"


def main(path: str) -> None:
    """Create users as `manage.py` does, and one by another hasher."""
    import django
    from django.conf import settings

    hashers = ["PBKDF2", "Argon2", "BCryptSHA256", "Scrypt"]
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": path}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
        PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}PasswordHasher" for name in hashers],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    ada = User.objects.create_superuser("ada", "ada@example.com", PASSWORD)
    ada.first_name = "Ada"
    ada.save()
    bob = User.objects.create_user("bob", "Bob@Example.com")
    bob.password = make_password(PASSWORD, hasher="scrypt")
    bob.save()
    User.objects.create_user("carol", "carol@example.com", PASSWORD, is_active=False)
    User.objects.create_user("dave", "", PASSWORD)
    User.objects.create_user("eve", "eve@example.com")
    call_command("dumpdata", "auth.User", output=path + ".json", verbosity=0)


if __name__ == "__main__":
    main(sys.argv[1])
