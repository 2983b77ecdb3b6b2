"""Where the privacy API lives, under /v1/."""

from django.urls import path

from privacy.api.claims import FaceClaimsView, FaceClaimView
from privacy.api.consents import ConsentsView, DocumentsView, WithdrawalView
from privacy.api.erasures import EraseMeView, ErasureView
from privacy.api.exports import ArchiveView, ExportMeView, ExportView
from privacy.api.holdings import HoldingsView
from privacy.api.public import FactsView
from privacy.api.requests import RequestProofView, RequestsView, RequestView
from privacy.api.transparency import TransparencyView

urlpatterns = [
    path("privacy/facts", FactsView.as_view()),
    path("transparency", TransparencyView.as_view()),
    path("consents", ConsentsView.as_view()),
    path("consents/documents", DocumentsView.as_view()),
    path("consents/withdrawal", WithdrawalView.as_view()),
    path("face-claims", FaceClaimsView.as_view()),
    path("face-claims/<uuid:pk>", FaceClaimView.as_view()),
    path("me/holdings", HoldingsView.as_view()),
    path("me/export", ExportMeView.as_view()),
    path("me/export/<uuid:pk>", ExportView.as_view()),
    path("me/export/<uuid:pk>/archive", ArchiveView.as_view()),
    path("me/erasure", EraseMeView.as_view()),
    path("me/requests", RequestsView.as_view()),
    path("me/requests/<uuid:pk>/proof", RequestProofView.as_view()),
    path("requests/<uuid:pk>", RequestView.as_view()),
    path("erasures/<uuid:pk>", ErasureView.as_view()),
]
