"""Where the privacy API lives, under /v1/."""

from django.urls import path

from privacy import api

urlpatterns = [
    path("privacy/facts", api.FactsView.as_view()),
    path("consents", api.ConsentsView.as_view()),
    path("consents/documents", api.DocumentsView.as_view()),
    path("consents/withdrawal", api.WithdrawalView.as_view()),
    path("me/holdings", api.HoldingsView.as_view()),
    path("me/erasure", api.EraseMeView.as_view()),
    path("erasures/<uuid:pk>", api.ErasureView.as_view()),
]
