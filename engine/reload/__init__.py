"""New versions of scripts: noticed, tried beside the old one, taken or refused."""
