"""What every room stands on: errors, places of files, records, bounded readers, the code that a result depends on."""
