# For `. "$LAB/cases/migrations.sh"` in a case: Django and Alembic of /opt/lab/migrations, each in a small project.
PATH="/opt/lab/migrations/bin:$PATH"
export PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.

django_shop() {  # a project with an app `shop` that has one model
  django-admin startproject site1 .
  python manage.py startapp shop
  sed -i "s/INSTALLED_APPS = \[/INSTALLED_APPS = [\n    'shop',/" site1/settings.py
  model "name = models.CharField(max_length=20)"
}

model() {  # the fields of shop.Order
  printf 'from django.db import models\n\n\nclass Order(models.Model):\n' >shop/models.py
  printf '    %s\n' "$@" >>shop/models.py
}

alembic_app() {  # a project with a model, its metadata and a SQLite file
  alembic init migrations >/dev/null
  sed -i 's#^sqlalchemy.url.*#sqlalchemy.url = sqlite:///app.db#' alembic.ini
  printf 'from sqlalchemy import *\nfrom sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n' >models.py
  printf '\n\nclass User(Base):\n    __tablename__ = "users"\n    id = Column(Integer, primary_key=True)\n' >>models.py
  sed -i 's/^target_metadata = None/from models import Base\ntarget_metadata = Base.metadata/' migrations/env.py
}
