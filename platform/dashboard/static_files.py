"""Static files: their names in production, and WhiteNoise's answers under ASGI, each with its file read whole."""

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile
from whitenoise.storage import CompressedManifestStaticFilesStorage


class NamedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # as below
    """Collected under names that change with their content, so that browsers may keep them.

    What a script imports is named as the page names it: under two names a module would be there twice, each copy with
    streams of its own.
    """

    support_js_module_import_aggregation = True


class WholeFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # WhiteNoise has no types
    """WhiteNoise streams by a synchronous iterator, which Django under ASGI reads whole anyhow, with a warning.

    Ours are small, the largest is Django's own script library, so they are read at once.
    """

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file:
                content = found.file.read()
        return HttpResponse(content, status=int(found.status), headers=dict(found.headers))
