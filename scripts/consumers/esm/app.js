import { Anthropic } from '@anthropic-ai/sdk';
import * as core from '@claude-metrics/core';
import * as express from '@claude-metrics/express';
import * as koa from '@claude-metrics/koa';
import * as nestjs from '@claude-metrics/nestjs';
import * as testing from '@claude-metrics/testing';
import * as common from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import framework from 'express';
import Koa from 'koa';
import { expressApp, koaApp, nestApp } from '../scenario.cjs';

const packages = { core, testing, Anthropic };
await expressApp({ ...packages, express, framework });
await koaApp({ ...packages, koa, Koa });
await nestApp({ ...packages, nestjs, common, NestFactory });
