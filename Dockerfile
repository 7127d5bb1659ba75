# The built book in a container, without a GPU:
#   docker build --tag reading-faces . && docker run --rm --publish 8000:8000 reading-faces
# then open http://localhost:8000.
FROM python:3.12-slim-bookworm

RUN apt-get update && apt-get install --yes --no-install-recommends git make && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home reader && install --directory --owner reader /book
USER reader
WORKDIR /book
ENV PIP_NO_CACHE_DIR=1

# The packages first: they change less often than pages.
COPY --chown=reader Makefile set_up.py pyproject.toml requirements.lock README.md LICENSE ./
COPY --chown=reader src src
RUN make setup CUDA=0
COPY --chown=reader . .
RUN make book CUDA=0

EXPOSE 8000
CMD [".venv/bin/python", "-m", "http.server", "8000", "--directory", "_build/site/_build/html"]
