#!/usr/bin/env node
// Plain old JavaScript, so that every Node can say what is wrong with it.
'use strict'

const version = process.versions.node.split('.').map(Number)
if (version[0] < 20 || (version[0] === 20 && version[1] < 15)) {
  console.error('RelayCore needs Node 20.15 or later; this is ' + process.versions.node + '.')
  process.exit(1)
}

const fs = require('fs')
const path = require('path')
const childProcess = require('child_process')
const url = require('url')

const entry = path.join(__dirname, 'dist', 'program', 'cli.js')

function newest (folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).reduce(function (latest, entry) {
    const file = path.join(folder, entry.name)
    return Math.max(latest, entry.isDirectory() ? newest(file) : fs.statSync(file).mtimeMs)
  }, 0)
}

function compiler () {
  const tsc = path.join(__dirname, 'node_modules', 'typescript-7', 'bin', 'tsc')
  return fs.existsSync(tsc) ? tsc : null
}

// What the program depends on is in it, so packages that were installed since are a reason to make it anew.
function isStale () {
  if (!fs.existsSync(path.join(__dirname, 'src'))) return false
  if (!fs.existsSync(entry)) return true
  const installed = path.join(__dirname, 'node_modules', '.package-lock.json')
  return Math.max(
    newest(path.join(__dirname, 'src')),
    newest(path.join(__dirname, 'plugins')),
    fs.existsSync(installed) ? fs.statSync(installed).mtimeMs : 0,
    fs.statSync(path.join(__dirname, 'bundle.mjs')).mtimeMs
  ) > fs.statSync(entry).mtimeMs
}

// Built beside dist and renamed, so that nobody ever sees half of it.
function build (tsc) {
  const half = path.join(__dirname, 'dist.' + process.pid)
  console.error('Building ...')
  const args = [tsc, '-p', path.join(__dirname, 'tsconfig.build.json'), '--outDir', half, '--incremental', 'false']
  const done = [args, [path.join(__dirname, 'bundle.mjs'), half]].every(function (step) {
    return childProcess.spawnSync(process.execPath, step, { stdio: 'inherit' }).status === 0
  })
  if (!done) {
    fs.rmSync(half, { recursive: true, force: true })
    console.error('The build failed.')
    process.exit(1)
  }
  const now = new Date()
  fs.utimesSync(path.join(half, 'program', 'cli.js'), now, now)
  fs.rmSync(path.join(__dirname, 'dist'), { recursive: true, force: true })
  fs.renameSync(half, path.join(__dirname, 'dist'))
}

if (isStale()) {
  const tsc = compiler()
  if (tsc !== null) build(tsc)
  else if (!fs.existsSync(entry)) {
    console.error('RelayCore is not built, and its development packages are missing: run npm ci, then npm start.')
    process.exit(1)
  }
}

import(url.pathToFileURL(entry).href)
