"""REST framework's own token authentication, on our table."""

from rest_framework.authentication import TokenAuthentication

from tests.bench.stock.models import Token


class Tokens(TokenAuthentication):
    """`Authorization: Token …`."""

    model = Token
