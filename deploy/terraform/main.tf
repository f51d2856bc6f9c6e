# The function, its role and a Function URL with IAM authorisation; the model from S3.
#   terraform apply -var model_bucket=BUCKET
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "name" {
  type    = string
  default = "lambert"
}

variable "model_bucket" {
  type        = string
  description = "The bucket of the model's archive"
}

variable "model_key" {
  type        = string
  default     = "models/squad-distilbert.tar.gz"
  description = "Its key"
}

variable "zip" {
  type    = string
  default = "../../dist/lambert-lambda-x86_64.zip"
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

# This object and the function's own log, and nothing else.
data "aws_iam_policy_document" "function" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::${var.model_bucket}/${var.model_key}"]
  }
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function.arn}:*"]
  }
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = 14
}

resource "aws_iam_role" "function" {
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy" "function" {
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}

resource "aws_lambda_function" "ask" {
  function_name                  = var.name
  role                           = aws_iam_role.function.arn
  filename                       = var.zip
  source_code_hash               = filebase64sha256(var.zip)
  handler                        = "bootstrap"
  runtime                        = "provided.al2023"
  architectures                  = ["x86_64"]
  memory_size                    = 1769
  timeout                        = 60
  reserved_concurrent_executions = 10

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.function.name
  }

  environment {
    variables = {
      LAMBERT_MODEL = "s3://${var.model_bucket}/${var.model_key}"
    }
  }
}

resource "aws_lambda_function_url" "ask" {
  function_name      = aws_lambda_function.ask.function_name
  authorization_type = "AWS_IAM"
}

output "url" {
  value       = aws_lambda_function_url.ask.function_url
  description = "POST questions here, signed for the service \"lambda\""
}
