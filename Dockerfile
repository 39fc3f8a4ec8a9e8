# The wheel in an environment of its own, in a slim image. Nothing is written but /data and /tmp.
FROM python:3.13-slim AS build

WORKDIR /src
COPY . .
RUN python -m venv /opt/huanliu \
 && pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
 && /opt/huanliu/bin/pip install --no-cache-dir --constraint constraints.txt /wheels/huanliu-*.whl

FROM python:3.13-slim

# PYTHONSAFEPATH: what lies in the current folder is never taken for one of our packages.
ENV PATH=/opt/huanliu/bin:$PATH \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HUANLIU_DATA=/data

RUN useradd --system --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin huanliu \
 && install --directory --owner=huanliu --group=huanliu --mode=0750 /data
COPY --from=build /opt/huanliu /opt/huanliu

USER huanliu
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["huanliu", "serve", "--host", "0.0.0.0"]
