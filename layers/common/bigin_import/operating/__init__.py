"""The operators' command `bigin-drop`: what a person does with a deployed stack."""
