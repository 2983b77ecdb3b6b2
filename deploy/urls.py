"""Every address of the web process."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from deploy import health
from deploy.contract.view import ContractView
from deploy.metrics.view import metrics
from deploy.try_page import try_page
from privacy.api.probe import ProbeView
from privacy.api.public import KeysView
from privacy.pages import privacy_page

urlpatterns = [
    path("livez", health.livez),
    path("internal/probe", ProbeView.as_view()),
    path("readyz", health.readyz),
    path("metrics", metrics),
    path("privacy", privacy_page),
    path("try/", try_page),
    path(".well-known/sitter-keys.json", KeysView.as_view()),
    path("v1/", include("privacy.urls")),
    path("v1/", include("portraits.urls")),
    path("v1/schema", ContractView.as_view(), name="schema"),
    path("v1/docs", SpectacularSwaggerSplitView.as_view(url_name="schema")),
    path("", include("accounts.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "deploy.http.bad_request"
handler404 = "deploy.http.page_not_found"
handler500 = "deploy.http.server_error"
