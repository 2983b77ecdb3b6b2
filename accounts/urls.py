"""Where people sign up and in. Whatever else allauth can do has no address here."""

from django.urls import path

from accounts import api, factor_api, provider_api

urlpatterns = [
    path("auth/app/v1/auth/signup", api.SignUpView.as_view()),
    path("auth/app/v1/auth/login", api.SignInView.as_view()),
    path("auth/app/v1/auth/session", api.SessionView.as_view()),
    path("auth/app/v1/auth/reauthenticate", api.ReauthenticateView.as_view()),
    path("auth/app/v1/auth/email/verify", api.VerifyEmailView.as_view()),
    path("auth/app/v1/auth/email/verify/resend", api.ResendCodeView.as_view()),
    path("auth/app/v1/auth/password/request", api.AskResetView.as_view()),
    path("auth/app/v1/auth/password/reset", api.ResetView.as_view()),
    path("auth/app/v1/account/password/change", api.ChangePasswordView.as_view()),
    path("auth/app/v1/auth/provider/token", provider_api.ProviderSignInView.as_view()),
    path(
        "auth/app/v1/auth/provider/reauthenticate",
        provider_api.ProviderReauthenticateView.as_view(),
    ),
    path("auth/app/v1/auth/webauthn/login", factor_api.PasskeySignInView.as_view()),
    path("auth/app/v1/auth/webauthn/authenticate", factor_api.PasskeyStepView.as_view()),
    path(
        "auth/app/v1/auth/webauthn/reauthenticate",
        factor_api.PasskeyReauthenticateView.as_view(),
    ),
    path("auth/app/v1/auth/2fa/authenticate", factor_api.CodeStepView.as_view()),
    path("auth/app/v1/auth/2fa/reauthenticate", factor_api.CodeReauthenticateView.as_view()),
    path("auth/app/v1/account/providers", provider_api.ProvidersView.as_view()),
    path(
        "auth/app/v1/account/providers/<str:provider>/<str:account>",
        provider_api.ProviderView.as_view(),
    ),
    path("auth/app/v1/account/authenticators", factor_api.FactorsView.as_view()),
    path("auth/app/v1/account/authenticators/webauthn", factor_api.PasskeysView.as_view()),
    path(
        "auth/app/v1/account/authenticators/webauthn/<str:number>",
        factor_api.PasskeyView.as_view(),
    ),
    path("auth/app/v1/account/authenticators/totp", factor_api.TotpView.as_view()),
    path(
        "auth/app/v1/account/authenticators/recovery-codes",
        factor_api.RecoveryCodesView.as_view(),
    ),
    path("v1/me/sessions", api.DevicesView.as_view()),
    path("v1/me/sessions/<str:name>", api.DeviceView.as_view()),
]
