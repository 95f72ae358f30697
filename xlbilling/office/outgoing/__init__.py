"""What leaves the office: report pack, close packet, print file."""
