"""Where people sign up and in. Whatever else allauth can do has no address here."""

from django.urls import path

from accounts import api

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
    path("v1/me/sessions", api.DevicesView.as_view()),
    path("v1/me/sessions/<str:name>", api.DeviceView.as_view()),
]
