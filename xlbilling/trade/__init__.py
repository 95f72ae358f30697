"""The trade: frames in, frames and problems out; no Excel, no database, no clock, no files."""
